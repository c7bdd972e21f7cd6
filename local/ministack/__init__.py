"""ministack with what it lacks added in process.

Everything here runs on the interpreter of `.local/ministack-env`, so it imports the standard library
and that environment's packages only, never the rest of the project.
"""
