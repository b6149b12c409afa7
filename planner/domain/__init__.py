"""What things are and what the vendor's rules say: levels, options, rules, fleet, plan."""
