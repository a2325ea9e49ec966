"""What the arbiters of the nodes say to each other: claims, and what was fenced."""

from ..fencing.messages import Note, Pardon
from .messages import Ask, Over, Tell

ArbiterMessage = Ask | Tell | Over | Note | Pardon
