"""What `[keystone_authtoken]` may hold, for whoever checks a configuration. Asks Keystone nothing.

Importing it costs 12 MB, as `roost.access.keystone` does.
"""

from keystoneauth1 import loading
from keystoneauth1.exceptions import NoMatchingPlugin
from keystonemiddleware.opts import list_auth_token_opts


def options(auth_type: str) -> set[str]:
    """The names of keystonemiddleware's own, and of those of the plugin by which Roost itself logs in."""
    try:
        of_plugin = loading.get_auth_plugin_conf_options(auth_type)
    except NoMatchingPlugin:
        of_plugin = []
    of_middleware = dict(list_auth_token_opts())["keystone_authtoken"]
    return {option.dest for option in (*of_middleware, *of_plugin)}
