# tests of scenario
