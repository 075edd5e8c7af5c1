"""One function per use case: it opens the transaction and calls the core. Knows no HTTP and no database."""
