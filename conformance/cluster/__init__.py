"""Work that is divided into pieces and done by Dask workers on several machines, or in several processes of one."""
