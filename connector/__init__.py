"""Citizens write on WhatsApp, staff answer in their tracker; nothing is lost on the way."""
