# tests of scrape
