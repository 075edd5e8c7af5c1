"""The description of the API, and what holds it to the server: every answer that tests get is judged by it."""
