"""Text as authors and files have it: TeX, sentences, words, XML, JSON, lines of large files."""
