"""What errors of MySQL and MariaDB mean, by their numbers, as far as no test brings a server to raise them."""

import pytest
from pymysql.err import OperationalError
from sqlalchemy.exc import DBAPIError

from roost.storage.sql.dialects import MySQL
from roost.storage.sql.failures import Trouble

pytestmark = pytest.mark.cwe_703


@pytest.mark.parametrize(
    "number, meaning",
    [
        pytest.param(1412, Trouble.RACE, id="the table was upgraded since the snapshot"),
        pytest.param(3101, Trouble.RACE, id="the group chose another transaction"),
        pytest.param(3854, Trouble.UNKEEPABLE, id="a character that the column's set has not, on MySQL"),
        pytest.param(1114, Trouble.AWAY, id="the disk is full"),
        pytest.param(1226, Trouble.AWAY, id="more queries an hour than the account may send"),
        pytest.param(1317, Trouble.AWAY, id="somebody ended the statement"),
        pytest.param(1969, Trouble.AWAY, id="the statement took longer than it may, on MariaDB"),
        pytest.param(3024, Trouble.AWAY, id="the statement took longer than it may, on MySQL"),
        pytest.param(3032, Trouble.AWAY, id="the server is in offline mode"),
        pytest.param(3100, Trouble.AWAY, id="the group has no majority"),
        pytest.param(4031, Trouble.AWAY, id="the connection was idle for too long"),
        pytest.param(3118, Trouble.BARRED, id="the account is locked, on MySQL"),
        pytest.param(4151, Trouble.BARRED, id="the account is locked, on MariaDB"),
        pytest.param(1862, Trouble.BARRED, id="the password has expired"),
        pytest.param(1524, Trouble.BARRED, id="the server has no such way to log in"),
        pytest.param(2059, Trouble.BARRED, id="the driver has no such way to log in"),
        pytest.param(1064, Trouble.FAULT, id="a syntax that the server does not know"),
    ],
)
def test_a_number_means(number: int, meaning: Trouble) -> None:
    """The port's word for it."""
    error = DBAPIError("a statement", {}, OperationalError(number, "what the server says of it"))
    assert MySQL().judge(error) is meaning
