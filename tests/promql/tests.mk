# tests of promql
