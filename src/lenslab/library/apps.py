"""The library as a Django application."""

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Registers the models under the label ``library``."""

    name = "lenslab.library"
    label = "library"
    verbose_name = "Library"
    default_auto_field = "django.db.models.BigAutoField"
