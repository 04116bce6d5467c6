"""What no domain owns: configuration, database, errors, access, headers, languages, assets."""
