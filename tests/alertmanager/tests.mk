# tests of alertmanager
