"""The pages: papers, their claims as measured, their network, discussion. Shows records, never measures."""
