"""What is this paper? Identifiers, text, key terms, summary and citation formats, as pure functions."""
