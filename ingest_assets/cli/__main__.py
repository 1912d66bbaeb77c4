from ingest_assets.cli.app import main

main()
