"""The one home of the network: services asked politely, patiently and no further than they may."""
