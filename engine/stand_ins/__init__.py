"""Who answers instead of the providers: stubs for a dry run and for tests, a cassette; and the recorder of one."""
