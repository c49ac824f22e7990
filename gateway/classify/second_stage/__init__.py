"""What a second stage is asked, and how its answers are read: values in, values out."""
