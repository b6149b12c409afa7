"""What the product computes: session states, deadlines, findings, measures and completion."""
