"""The site as a WSGI application, for ``lenslab serve`` and for any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lenslab.web.settings")

application = get_wsgi_application()
