"""Moderation: harm planted in posts, small classifiers that look for it, what is done about it, and appeals.

What is harmful is planted (`compose`) and shows in a post's text (`phrases`, `texts`), so that every error of whoever
judges is known. Judges read words and nothing else: the scripted ones are two linear classifiers (`classifier`) that
were trained (`training`) on phrases that no world uses. They sit on the device, before anybody sees a post
(`screening`), and in one place, after reports (`review`); both ask the same question (`judging`). Creators may object
(`appeals`). The truth reaches figures, reports of viewers and appeals, never a judge.
"""
