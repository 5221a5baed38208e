/// Pay.
async fn pay(who: Principal, Args(sum): Args<Sum>) {}
#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "pay",
        title: __rt::Option::None,
        description: "Pay.",
        access: __rt::Access::Scopes(
            __rt::Expr::Any(
                &[
                    __rt::Expr::Variant(|| __rt::scope(Scope::Pay)),
                    __rt::Expr::All(
                        &[__rt::Expr::Scope("a"), __rt::Expr::Variant(|| __rt::scope(B))],
                    ),
                ],
            ),
        ),
        options: __rt::Options {
            acr: &["x", "y"],
            max_age: __rt::Option::Some(300),
            policy: __rt::Option::Some(|| __rt::policy(roles::ADMIN)),
            authorize: true,
            list: __rt::Option::Some(__rt::ListMode::Conceal),
            ..__rt::Options::NONE
        },
        signature: |__signature| {
            <Principal as __rt::FromCall>::declare(__signature);
            <Args<Sum> as __rt::FromCall>::declare(__signature);
            <() as __rt::IntoReply>::declare(__signature);
        },
        call: |mut __call| {
            __rt::Box::pin(async move {
                let __arg0 = <Principal as __rt::FromCall>::from_call(&mut __call)?;
                let __arg1 = <Args<Sum> as __rt::FromCall>::from_call(&mut __call)?;
                let __caller = __call.caller()?;
                __rt::authorize(
                        &__caller,
                        || may_pay(&__caller, __rt::arguments(&(&__arg0, (&__arg1, ())))),
                    )
                    .await?;
                __call.permit();
                <() as __rt::IntoReply>::into_reply(pay(__arg0, __arg1).await)
            })
        },
        location: __rt::Location {
            file: __rt::file!(),
            line: __rt::line!(),
            column: __rt::column!(),
        },
    };
    __rt::inventory::submit!(__TOOL);
    const _: () = __rt::at_most_one_args(
        &[
            <Principal as __rt::FromCall>::TAKES_ARGUMENTS,
            <Args<Sum> as __rt::FromCall>::TAKES_ARGUMENTS,
        ],
    );
};
