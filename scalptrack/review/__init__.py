"""What a person decides about photographs: kept, audited, applied, and the page to do it on."""
