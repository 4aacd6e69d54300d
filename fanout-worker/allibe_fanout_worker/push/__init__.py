"""Notifications to where we have no connection: each way out is a provider of the same shape.

base      a push, what became of a try, and the shape of providers
webpush   to browsers, through their push services
fitting   a push as JSON of a bounded length
webhook   to a server of the operator's own: FCM, APNs, mail
signing   how the webhook's receiver knows that it is us
statuses  what an answer or a failure means, as far as both ways agree
retries   what to do after a try: again and when, or no more
ways      which of these ways out the settings open

scheduler rooms with news: who is to be pushed, and when
pusher    pushes that are due: looked at once more, and sent
kept      which decisions of a round the store has already
deciding  whether somebody is pushed something, and why
turns     how many users at a time
shares    how much of a worker each push service may take
sending   one try, over all ways to a user
endings   what it came to, kept
pushing   all of it as one resource of a worker
"""
