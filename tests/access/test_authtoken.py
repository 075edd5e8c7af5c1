"""What may stand in [keystone_authtoken] depends on the plugin by which Roost logs in."""

from roost.access.authtoken import options


def test_the_plugin_counts() -> None:
    """A password has a user; a token of its own has none; the middleware's own options are there in any case."""
    assert {"www_authenticate_uri", "username", "auth_url"} <= options("password")
    assert "username" not in options("v3token")
    assert "token" in options("v3token")


def test_an_unknown_plugin_has_no_options() -> None:
    """It is Roost's start that says there is no such plugin."""
    assert options("password") > options("nobody's") >= {"www_authenticate_uri", "memcached_servers"}
