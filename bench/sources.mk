# The measuring programs.
