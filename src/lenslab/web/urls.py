"""Every address of the site."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path

from lenslab.web.views import accounts, charts, cookie_notice, discussion, papers

urlpatterns: list[URLPattern | URLResolver] = [
    path("", papers.home, name="home"),
    path("paper/<path:name>", papers.paper, name="paper"),
    path("work/<path:name>", papers.paper, name="work"),
    path("results/<str:result>/charts/<str:name>.<str:theme>.svg", charts.picture, name="chart-picture"),
    path("results/<str:result>/charts/<str:name>.vl.json", charts.specification, name="chart-specification"),
    path("comments/on/<int:work>", discussion.post, name="post-comment"),
    path("comments/<int:comment>/edit", discussion.edit, name="edit-comment"),
    path("comments/<int:comment>/delete", discussion.delete, name="delete-comment"),
    path("sign-up", accounts.SignUp.as_view(), name="sign-up"),
    path("sign-in", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("cookies", cookie_notice.cookies, name="cookies"),
    path("cookies/dismiss", cookie_notice.dismiss, name="dismiss-notice"),
    path("admin/", admin.site.urls),
]

handler400 = "lenslab.web.views.errors.bad_request"
handler403 = "lenslab.web.views.errors.forbidden"
handler404 = "lenslab.web.views.errors.not_found"
handler500 = "lenslab.web.views.errors.failed"
