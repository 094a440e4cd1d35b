# tests of tsdb
