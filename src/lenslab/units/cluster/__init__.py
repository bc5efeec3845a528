"""A cluster: the pieces of a sweep made by many processes, on one machine or several, through Ray."""
