"""What holds for every request: headers, proxies, limits, rates; and for every line of a log."""
