"""What replies look like: values in, JSON-ready objects out, by version. They decide nothing."""
