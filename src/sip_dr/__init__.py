"""The command line of sip-dr: drives ansible-runner and nothing that a role needs."""
