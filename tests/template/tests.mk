# tests of template
