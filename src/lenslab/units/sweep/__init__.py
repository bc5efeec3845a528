"""The sweep over images and sites: divided, carried out, resumed, checked, and written down."""
