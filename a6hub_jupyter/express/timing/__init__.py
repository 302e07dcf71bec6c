"""Static timing over Liberty tables and Elmore wire delays: an estimate, never a sign-off."""
