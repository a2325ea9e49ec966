"""Which backends answer: asked, judged, and told to the edge."""
