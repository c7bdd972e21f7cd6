"""Each figure that the README quotes: measured, with its settings and its limits beside it."""
