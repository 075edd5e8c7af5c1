"""GET /: which versions there are. Needs no caller and no database."""

from roost.http.call import Call, Reply, shown
from roost.http.microversions import history


def show(call: Call) -> Reply:
    """Version discovery, by the API guidelines; the self link is empty, so that no proxy's address need be known."""
    version = {
        "id": f"v{history.OLDEST}",
        "max_version": str(history.NEWEST),
        "min_version": str(history.OLDEST),
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return shown({"versions": [version]}, modified=call.site.now())
