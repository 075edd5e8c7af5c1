"""The API over HTTP: routes, requests in, replies out. Knows no SQL; asks `service` and the pure core's values."""
