"""The one home of the network: services are asked at their rate, with retries, and within limits."""
