"""The whole product on virtual time between in-process stand-ins: one seed is one history, to the byte."""
