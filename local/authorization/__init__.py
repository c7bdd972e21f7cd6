"""What a deployed function may do: its role's policies, held against every call that it makes.

Every call needs an action that the role allows. Of Lambda's functions, SageMaker's endpoints and
Application Auto Scaling's targets the resource and its tags are looked at as well; of the rest, what
resource a call is about is not worked out, and what the policy says of it is taken for fulfilled.
"""

from __future__ import annotations
