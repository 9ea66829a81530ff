"""HTTP: one pooled session, retries, the call quota, pages, uploads and downloads, lost answers settled."""
