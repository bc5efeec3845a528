"""The pages as a Django application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the models under the label ``web``."""

    name = "lenslab.web"
    label = "web"
    verbose_name = "Discussion"
    default_auto_field = "django.db.models.BigAutoField"
