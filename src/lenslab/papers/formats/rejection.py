"""A rejection: one entry of a file that could not be read, and why; the entries around it stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """One entry of a file that could not be read.

    Attributes:
        number: Which one, counted from 1: the line in a file of lines, else the entry.
        reason: What is wrong with it, in a few words.
        locator: Its key in the file; empty where it has none that can be read.
    """

    number: int
    reason: str
    locator: str = ""
