"""Requests as open data: Open311 GeoReport v2, to be read only. https://wiki.open311.org/GeoReport_v2/

routes.py    addresses, parameters, limits; what is cached and for how long
shelf.py     what is published of one town, looked at again every minute at most
formats.py   GeoReport's JSON and XML
"""

from .routes import Open311

__all__ = ["Open311"]
