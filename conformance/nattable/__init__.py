"""`icetcp nat-table`: two reference agents behind every two NATs of RFC 5382, expected against seen."""
