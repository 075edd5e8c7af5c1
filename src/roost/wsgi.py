"""The WSGI callable, for uWSGI, mod_wsgi, gunicorn, Granian: `roost.wsgi:application`.

Configured by placement.conf and the OS_* variables alone.
"""

from roost.main import application_from_environment

application = application_from_environment()
