"""Programs that run alone in fresh processes, with the asset as their only library."""
