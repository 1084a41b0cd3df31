"""What did departures of gradients and minima mean on datasets whose damage is known?"""
