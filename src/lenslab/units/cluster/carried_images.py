"""Images on their way to another process: files are opened there anew and compared, what is in memory travels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from lenslab.units.errors import ClusterError, UndecodableImageError, UnitsError
from lenslab.units.images import Images, open_images
from lenslab.units.images.labelled_images import Picture, Pixels


@dataclass(frozen=True)
class ReopenedImages:
    """Images of a name or of files: everything but the pixels, and where those are.

    Attributes:
        place: A name, or a path from the root.
        below: The directory that the path was typed relative to, which messages about pictures leave out.
        sha256: That of what lies there.
        known: What else is known of the images, by the names of their attributes.
    """

    place: str
    below: str
    sha256: str
    known: dict[str, Any]

    def opened(self) -> Images:
        """Open the images where this process runs.

        Raises:
            ClusterError: They are not there, or others are.
        """
        try:
            found = open_images(self.place, exif=self.known["exif"])
        except UnitsError as error:
            raise ClusterError(
                f"the images {self.place} cannot be opened there ({error}); put them at the same path of every "
                "machine, or on a file system that all of them see"
            ) from error
        assert found.origin is not None  # it was opened by its place
        if found.origin.sha256 != self.sha256:
            raise ClusterError(
                f"the images {self.place} are others there ({found.origin.sha256[:12]} and not {self.sha256[:12]}); "
                "copy those of the machine that the run was begun on"
            )

        def read(start: int, stop: int) -> Iterator[Pixels | Picture | UndecodableImageError]:
            for each in found.read(start, stop):
                broken = isinstance(each, UndecodableImageError)
                yield UndecodableImageError(str(each).replace(self.below, "")) if broken else each

        return Images(read=read, **self.known)


@dataclass(frozen=True)
class MemoryImages:
    """Images that are in memory, as they are."""

    images: Images

    def opened(self) -> Images:
        """Give the images."""
        return self.images


def carried(images: Images) -> ReopenedImages | MemoryImages:
    """Make images ready to travel; their hash, which takes long, is computed here and nowhere else again.

    Example:
        >>> carried(open_images("digits").limited(3)).opened().labels
        array([6, 7, 8])
    """
    plain = replace(images, digest=partial(str, images.sha256), origin=None)
    if images.origin is None:
        return MemoryImages(plain)
    known = {field.name: getattr(plain, field.name) for field in fields(plain) if field.name != "read"}
    return ReopenedImages(images.origin.place, images.origin.below, images.origin.sha256, known)
