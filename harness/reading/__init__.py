"""Large histories, read by several processes side by side: parsing is what a verdict on a million operations costs."""
